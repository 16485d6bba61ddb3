"""What the tables must hold for given input, worked out from the documented rules alone.

Plain Python that shares nothing with the pipeline, so that it can judge the pipeline.
"""
