"""Inference hears what the laboratory announces."""

from cases import events


def connect() -> None:
    from inference import jobs

    events.metaphase_added.connect(jobs.on_metaphase_added)
    events.reanalysis_requested.connect(jobs.on_reanalysis_requested)
    events.analysis_cancel_requested.connect(jobs.on_cancel_requested)
