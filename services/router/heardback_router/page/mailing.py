"""One-time codes by e-mail."""

from heardback_router.mail.domain import Mail, UnfitMailError
from heardback_router.mail.ports import Mailer
from heardback_router.page.texts import TEXTS, Language


class MailCodes:
    def __init__(self, mailer: Mailer) -> None:
        self._mailer = mailer

    async def send(self, code_id: str, address: str, code: str, language: Language) -> bool:
        words = TEXTS[language]
        try:
            mail = Mail(code_id, address, words["mail_subject"], words["mail_text"].format(code=code))
        except UnfitMailError:
            return False
        return (await self._mailer.send(mail)).state == "accepted"
