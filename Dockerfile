# The page as a container. Its root may be read-only; /tmp is all that it writes to:
#   docker build -t round-trip .
#   docker run --read-only --tmpfs /tmp -p 7860:7860 round-trip
FROM python:3.12-slim

WORKDIR /srv/round-trip

COPY packages.txt .
RUN apt-get update \
    && xargs --arg-file packages.txt apt-get install --yes --no-install-recommends \
    && rm -rf /var/lib/apt/lists/*

# The default torch brings CUDA, several GB. For the CPU alone, name the index of CPU wheels that
# PyTorch's install page gives: docker build --build-arg TORCH_INDEX=… -t round-trip .
ARG TORCH_INDEX=
COPY requirements.txt .
RUN if [ -n "$TORCH_INDEX" ]; then \
        grep -E '^torch(vision)?[<>=]' requirements.txt > torch.txt \
        && pip install --no-cache-dir --index-url "$TORCH_INDEX" --requirement torch.txt; \
    fi \
    && pip install --no-cache-dir --requirement requirements.txt

COPY . .
RUN python -m compileall -q app.py demo models \
    && useradd --uid 1000 --no-create-home user
USER user

# Whatever a library keeps for itself goes to HOME: the one place that a read-only root leaves.
ENV HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DEMO_STUDY_OUT=/tmp/studies \
    GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["python", "-c", "import http.client as http, sys; asked = http.HTTPConnection('127.0.0.1', 7860, timeout=8); asked.request('GET', '/health'); sys.exit(asked.getresponse().status != 200)"]
CMD ["python", "app.py"]
