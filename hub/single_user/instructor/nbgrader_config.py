"""The course's own configuration, wherever nbgrader is started from."""

import os

c = get_config()
load_subconfig("nbgrader_config.py", path=os.environ["COURSE_ROOT"])
c.CourseDirectory.root = os.environ["COURSE_ROOT"]
