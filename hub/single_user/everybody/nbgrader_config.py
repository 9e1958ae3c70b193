"""Where the exchange is and how people are told apart, for students and instructors."""

import os

from autograder import policy

c = get_config()
c.CourseDirectory.course_id = os.environ["COURSE_ID"]
policy.use_exchange(c, os.environ["COURSE_EXCHANGE"], identity=os.environ["COURSE_IDENTITY"])
policy.protect_pages(c)
# "Validate" runs a whole lesson.
c.Execute.timeout = 120
