"""The explanations as the syndicat edits them, on its portal."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Capability
from socle.actes.explanations import actions, queries
from socle.actes.explanations.texts import InvalidText


class TextForm(forms.Form):
    """One explanation."""

    code = forms.CharField(
        label="Code",
        max_length=40,
        help_text="Tel que la préfecture l’écrit : ODT-VERIF-01, ou le numéro du refus, comme 005.",
    )
    meaning = forms.CharField(
        label="Ce que cela veut dire",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Une ou deux phrases, sans jargon : c’est la secrétaire qui les lit.",
    )
    remedy = forms.CharField(label="Ce qu’il faut faire", widget=forms.Textarea(attrs={"rows": 3}))


class Texts(CapabilityView):
    """Every code that has a text."""

    capability = Capability.DELIVERY_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        found = sorted(queries.texts().values(), key=lambda text: (text.code == "*", text.code))
        context = {"texts": found, "may_write": self.can(Capability.DELIVERY_RETRY)}
        return render(request, "explanations/list.html", context)


class Write(CapabilityView):
    """Write one text, of a new code or of a known one."""

    capability = Capability.DELIVERY_RETRY

    def get(self, request: HttpRequest, code: str = "") -> HttpResponse:
        known = queries.texts().get(code)
        if code and known is None:
            raise Http404
        initial = (
            {"code": known.code, "meaning": known.meaning, "remedy": known.remedy} if known else {}
        )
        return self.show(TextForm(initial=initial), code)

    def post(self, request: HttpRequest, code: str = "") -> HttpResponse:
        form = TextForm({**request.POST.dict(), **({"code": code} if code else {})})
        if form.is_valid():
            try:
                text = actions.write(**form.cleaned_data, by=request.user, at=timezone.now())
            except InvalidText as refusal:
                form.add_error(refusal.field, str(refusal))
            else:
                messages.success(request, f"L’explication de {text.code} est enregistrée.")
                return redirect("explanations:list")
        return self.show(form, code)

    def show(self, form: TextForm, code: str) -> HttpResponse:
        if code:
            form.fields["code"].disabled = True
        known = queries.texts().get(code)
        context = {"form": form, "code": code, "own": known is not None and known.own}
        return render(self.request, "explanations/write.html", context)


class Reset(CapabilityView):
    """Back to the text Socle came with, or to none."""

    capability = Capability.DELIVERY_RETRY
    http_method_names = ("post",)

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        if self.attempt(actions.reset, code=code):
            messages.success(request, f"L’explication de {code} est revenue au texte d’origine.")
        return redirect("explanations:list")
