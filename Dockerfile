# One image for web, workers and beat; the command says which.
FROM python:3.11-slim-bookworm
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1
RUN useradd --create-home --uid 10001 karyosite && mkdir -p /data && chown karyosite /data
WORKDIR /app
COPY requirements.txt .
RUN pip install -r requirements.txt
COPY . .
ENV KARYOSITE_DATA_DIR=/data
RUN KARYOSITE_SECRET_KEY=build python manage.py collectstatic --noinput
USER karyosite
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
