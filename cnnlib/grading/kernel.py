"""Start the kernel that an assembled notebook runs in: `python -m cnnlib.grading.kernel -f FILE`."""

import sys

import ipykernel.kernelapp

MEMORY_LIMIT = (
    4 * 2**30
)  # bytes; an answer that asks for more gets a MemoryError, and others their turn

if __name__ == "__main__":
    sys.modules["debugpy"] = (
        None  # the debugger: a third of the start, and nobody is there to use it
    )
    if sys.platform == "linux":  # elsewhere the system doesn't hold processes to it
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    ipykernel.kernelapp.launch_new_instance()
