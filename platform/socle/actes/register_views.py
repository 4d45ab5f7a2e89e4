"""The public register: the pages anybody reads, and the two buttons of the secretary."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.feedgenerator import Atom1Feed

from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Access, Capability
from socle.actes import exports, policies, queries, register, register_texts
from socle.actes.models import Act, Kind
from socle.actes.register_forms import PostingForm, RegisterFilters
from socle.actes.views import PER_PAGE, ActionView
from socle.core import replica
from socle.documents.responses import download

FEED = 30


class Register(CapabilityView):
    """What the commune has published. Open to anybody: the law wants it."""

    capability = Access.ANYONE

    def get(self, request: HttpRequest) -> HttpResponse:
        form = RegisterFilters(request.GET or None, years=register.years())
        wanted = form.criteria()
        page = Paginator(register.search(**wanted), PER_PAGE).get_page(request.GET.get("page"))
        text = wanted["text"]
        context = {
            "form": form,
            "page": page,
            "rows": [(one, register_texts.excerpt(one.text, text) if text else []) for one in page],
            "organisation": queries.organisation_here(),
        }
        return render(request, "actes/register.html", context)


class Posted(CapabilityView):
    """One published act. Open to anybody."""

    capability = Access.ANYONE

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        posting = get_object_or_404(register.live(), pk=pk)
        files = posting.files.select_related("stored", "stamped").order_by("rank")
        context = {
            "posting": posting,
            "act": posting.act,
            "lasting": queries.address("actes:lasting", posting.act.identifier),
            "exercise": posting.act.transactions.filter(kind=Kind.ACTE, exercise=True).exists(),
            "files": [(file, file.stamped or file.stored) for file in files],
            "organisation": queries.organisation_here(),
        }
        return render(request, "actes/posted.html", context)


class PostedFile(CapabilityView):
    """The text of a published act. Open to anybody; only what a person chose to publish."""

    capability = Access.ANYONE

    def get(self, request: HttpRequest, pk: int, file: int) -> HttpResponseBase:
        posting = get_object_or_404(register.live(), pk=pk)
        found = get_object_or_404(posting.files.select_related("stored", "stamped"), pk=file)
        return download(found.stamped or found.stored)


class Lasting(CapabilityView):
    """The address of an act that never changes, however often it is posted. Open to anybody."""

    capability = Access.ANYONE

    def get(self, request: HttpRequest, identifier: str) -> HttpResponse:
        posting, once = register.at_address(identifier)
        if posting:
            return redirect(posting)
        if not once:
            raise Http404
        context = {"organisation": queries.organisation_here(), "identifier": identifier}
        return render(request, "actes/withdrawn.html", context, status=410)


class AtomFeed(CapabilityView):
    """The last acts posted, for readers of feeds (RFC 4287). Open to anybody."""

    capability = Access.ANYONE

    def get(self, request: HttpRequest) -> HttpResponse:
        organisation = queries.organisation_here()
        root = queries.address("actes:register")
        feed = Atom1Feed(
            title=f"{organisation} : actes publiés",
            link=root,
            description="",
            feed_url=queries.address("actes:register_feed"),
            language="fr",
        )
        for posting in register.search()[:FEED]:
            act = posting.act
            feed.add_item(
                title=f"{act.number} — {act.objet}",
                link=f"{root}acte/{act.identifier}/",
                unique_id=f"{root}acte/{act.identifier}/",
                description=f"{act.get_nature_display()} du {act.decided_on:%d/%m/%Y}",
                pubdate=posting.posted_at,
                updateddate=posting.posted_at,
                author_name=f"{posting.author_name}, {posting.author_quality}",
            )
        content_type = "application/atom+xml; charset=utf-8"
        return HttpResponse(feed.writeString("utf-8"), content_type=content_type)


class Scdl(CapabilityView):
    """The published délibérations as open data. Open to anybody."""

    capability = Access.ANYONE

    def get(self, request: HttpRequest) -> HttpResponse:
        organisation = queries.organisation_here()
        with replica.reading(exact=False):
            content = b"".join([exports.scdl_header(), *exports.scdl_lines()])
        response = HttpResponse(content, content_type="text/csv; charset=utf-8")
        name = f"deliberations-{organisation.siren}.csv"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


class Post(CapabilityView):
    """Publish an act: name its author, choose its annexes, and say yes."""

    capability = Capability.ACTS_PREPARE

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        act = get_object_or_404(Act, pk=pk)
        if register.posting_of(act) or act.nature not in policies.PUBLIC_NATURES:
            return redirect(act)
        return self.show(act, self.form(act))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        act = get_object_or_404(Act, pk=pk)
        form = self.form(act, request.POST)
        if not form.is_valid():
            return self.show(act, form)
        posting = self.attempt(
            register.post, subject=act, act_id=pk, author=form.author(), annexes=form.chosen()
        )
        if posting is not None:
            messages.success(request, "L’acte est au registre public.")
        return redirect(act)

    def form(self, act: Act, *data: object) -> PostingForm:
        return PostingForm(*data, last=register.last_author(), files=queries.files_of(act))

    def show(self, act: Act, form: PostingForm) -> HttpResponse:
        return render(self.request, "actes/post.html", {"act": act, "form": form})


class Withdraw(ActionView):
    """Take an act out of the register."""

    capability = Capability.ACTS_PREPARE
    action = staticmethod(register.withdraw)
    done = "L’acte n’est plus au registre public."
