"""A Cell as MindSpore compiles it, folded and written as ONNX or MINDIR.

    nn.Cell --copy, fold--> nn.Cell --compile--> Graph --> .mindir | .onnx

`metadata` is what such a file says of itself. What is asked of an export, and whether the file
computes what the network does, is `exporting`'s.
"""
