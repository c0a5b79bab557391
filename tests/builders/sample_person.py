"""A person of the sample who has contacts."""

from __future__ import annotations

from gateway.sample.contents.dataset import Dataset

BSN = {"partijIdentificator__codeSoortObjectId": "bsn"}


def a_person(data: Dataset) -> str:
    """A BSN that occurs on a zaak with contacts."""
    zaken = {contact["zaak"] for contact in data.objects("klantcontact")}
    allowed = {
        zaak["url"]
        for zaak in data.objects("zaak")
        if zaak["vertrouwelijkheidaanduiding"] in ("openbaar", "beperkt_openbaar", "intern")
    }
    return next(
        rol["betrokkeneIdentificatie"]["inpBsn"]
        for rol in data.objects("rol")
        if rol["zaak"] in zaken & allowed
        and rol["omschrijvingGeneriek"] == "initiator"
        and rol["betrokkeneType"] == "natuurlijk_persoon"
        and (rol["betrokkeneIdentificatie"] or {}).get("inpBsn")
    )
