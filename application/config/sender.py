"""Choose by the settings what sends mail and short messages."""

from application.config.choice import MailBackend
from application.config.variable import Variables
from application.libs.mail import ConsoleMail, MailSender, MemoryMail
from application.libs.mail_server import MailServer
from application.libs.outgoing import Outgoing
from application.libs.sms import ConsoleSms, HttpSms, MemorySms, NoSms, SmsSender, read_headers, read_template


def outgoing(settings: Variables) -> Outgoing:
    """Return what sends, as the settings say; nothing is asked yet."""
    return Outgoing(mail=_mail(settings), sms=_sms(settings), mail_from=settings.mail_from)


def mail_server(settings: Variables) -> MailServer:
    """Return where mail is handed in."""
    password = settings.mail_password
    return MailServer(
        host=settings.mail_server,
        port=settings.mail_port,
        username=settings.mail_username,
        password=None if password is None else password.get_secret_value(),
        starttls=settings.mail_use_tls,
    )


def _mail(settings: Variables) -> MailSender:
    match settings.mail_backend:
        case MailBackend.CONSOLE:
            return ConsoleMail()
        case MailBackend.MEMORY:
            return MemoryMail()
        case MailBackend.SMTP:
            return mail_server(settings)


def _sms(settings: Variables) -> SmsSender:
    url, body, headers = settings.sms_url, settings.sms_body, settings.sms_headers
    if url is not None and body is not None:
        return HttpSms(
            url=url.get_secret_value(),
            template=read_template(body.get_secret_value()),
            method=settings.sms_method.value,
            headers={} if headers is None else read_headers(headers.get_secret_value()),
            accepted=settings.sms_ok or "",
        )
    if settings.testing:
        return MemorySms()
    return NoSms() if settings.production else ConsoleSms()
