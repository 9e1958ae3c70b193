"""What keeps the demo hub from starting."""


class DemoHubError(Exception):
    """The demo hub cannot start or go on; the message says why and what to do."""
