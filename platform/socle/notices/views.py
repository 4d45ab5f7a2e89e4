"""What one was told."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Access
from socle.notices.models import Notice

PER_PAGE = 20


class Notices(CapabilityView):
    """All that a person was told, by any of her communes; unread first said, all kept."""

    capability = Access.LOGGED_IN

    def get(self, request: HttpRequest) -> HttpResponse:
        told = Notice.objects.filter(person=request.user).select_related("organisation")
        page = Paginator(told, PER_PAGE).get_page(request.GET.get("page"))
        unread = told.filter(read_at=None).count()
        return render(request, "notices/notices.html", {"page": page, "unread": unread})


class ReadAll(CapabilityView):
    """Mark everything as read."""

    capability = Access.LOGGED_IN
    http_method_names = ("post",)

    def post(self, request: HttpRequest) -> HttpResponse:
        Notice.objects.filter(person=request.user, read_at=None).update(read_at=timezone.now())
        return redirect("notices:list")
