"""Settings of every single-user server: warm kernels, the landing, the look of lessons."""

import os
import sys
from pathlib import Path

# Only for this process: kernels do not get the repository on their path.
sys.path.append(str(Path(__file__).resolve().parents[3]))

from autograder.kernels.sharing import begin_shared
from hub.single_user.landing import LANDING, LIST, land_on

c = get_config()  # noqa: F821

c.ServerApp.jpserver_extensions = {"hub.single_user.pages": True}
# One Python to choose, and it is warm: see JUPYTER_DEFAULT_PROVISIONER_NAME in roles.py.
c.KernelSpecManager.allowed_kernelspecs = {"python3"}
# Neither news nor updates: a lesson needs no network.
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"
# It would start Node to look for language servers, which the course does not bring.
c.LanguageServerManager.autodetect = False

# Libraries are imported while the list of lessons is being looked at.
begin_shared()
land_on(os.environ.get(LANDING, LIST), Path.home())
