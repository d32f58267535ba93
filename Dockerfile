# The course for JupyterHub (DockerSpawner, KubeSpawner), or for one reader:
#   docker build -t aae-course .  &&  docker run -it --rm -p 8888:8888 aae-course
FROM python:3.13-slim

RUN apt-get update \
    && apt-get install --yes --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home student
USER student
WORKDIR /home/student/adversarial-autoencoders

# What changes rarely comes first, so that an edited notebook does not install everything anew.
COPY --chown=student pyproject.toml constraints.txt README.md LICENSE LICENSE-text ./
COPY --chown=student aae_lib aae_lib
RUN python -m venv .venv \
    && .venv/bin/python -m pip install --no-cache-dir -c constraints.txt -e ".[lab,test]" \
    && .venv/bin/python -m pip install --no-cache-dir -c constraints.txt jupyterhub
COPY --chown=student . .
ENV PATH=/home/student/adversarial-autoencoders/.venv/bin:$PATH

# MNIST into data/, where it can be had while the image is built; else students' first notebook asks for it.
RUN python -c "from aae_lib import load; load('mnist', fallback='digits')"

EXPOSE 8888
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--no-browser", "notebooks"]
