"""nbgrader's exchange, for classes in which not everybody is honest.

The classes here take the place of nbgrader's own by configuration alone; :mod:`autograder.policy`
does that. Commands, folders and the lists in JupyterLab stay as they are.
"""
