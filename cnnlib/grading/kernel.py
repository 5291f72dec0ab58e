"""Start the kernel that an assembled notebook runs in: `python -m cnnlib.grading.kernel -f FILE`."""

import ipykernel.kernelapp

if __name__ == "__main__":
    ipykernel.kernelapp.launch_new_instance()
