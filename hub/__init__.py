"""JupyterHub for the course: a demo on one machine, a class server, Kubernetes."""
