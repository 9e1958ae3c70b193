"""Make the repository that students get: lessons and what they import, nothing that tells.

:func:`publish` chooses the files (:mod:`.selection`), writes what students need around them
(:mod:`.surroundings`), looks for answers in every byte (:mod:`.secrets`), and commits to a Git
repository of its own (:mod:`.repository`), whose whole history it then reads.
"""

from autograder.publishing.publication import Published, PublishError, publish

__all__ = ["PublishError", "Published", "publish"]
