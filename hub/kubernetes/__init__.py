"""A hub on Kubernetes: values for the chart, the image, the exchange's volume, grading by Dask."""
