"""E-mail addresses and telephone numbers in the spelling by which two customers are seen to share them."""

import phonenumbers


def normal_email(email: str) -> str | None:
    """Without case and surrounding spaces; None where it is no address."""
    spelled = email.strip().casefold()
    local, at, domain = spelled.rpartition("@")
    return spelled if at and local and "." in domain and " " not in spelled else None


def normal_phone(phone: str) -> str | None:
    """In the international spelling (ITU-T E.164); None where no country is given or it is no number."""
    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


SPELLINGS = {"email": normal_email, "phone": normal_phone}
