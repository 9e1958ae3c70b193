"""What each person's own Jupyter server gets, on whatever hub: settings by role, landing, look.

``everybody/``, ``student/`` and ``instructor/`` are folders for ``JUPYTER_CONFIG_PATH``.
"""
