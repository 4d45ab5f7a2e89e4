"""Why a file cannot even be read as a PES. One class per rule, one French sentence each."""

from socle.core.refusals import Refusal


class UnreadableFile(Refusal):
    """The bytes cannot be understood, whatever they were meant to be."""

    code = "helios.unreadable"


class EmptyFile(UnreadableFile):
    code = "helios.empty_file"

    def __init__(self) -> None:
        super().__init__(
            "Le fichier est vide : exportez-le de nouveau depuis votre logiciel de gestion "
            "financière."
        )


class NotXml(UnreadableFile):
    code = "helios.not_xml"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"Ce fichier est {what}, pas un flux PES : choisissez le fichier .xml exporté par "
            "votre logiciel de gestion financière."
        )


class MalformedXml(UnreadableFile):
    code = "helios.malformed_xml"

    def __init__(self, line: int) -> None:
        super().__init__(
            f"Le fichier XML est mal formé ou incomplet (ligne {line}) : exportez-le de nouveau "
            "sans le modifier."
        )


class UndecodableBytes(UnreadableFile):
    code = "helios.undecodable"

    def __init__(self, line: int) -> None:
        super().__init__(
            f"Le fichier contient à la ligne {line} des caractères qui ne correspondent pas à "
            "l’encodage qu’il annonce : exportez-le de nouveau en ISO-8859-1."
        )


class ForbiddenDoctype(UnreadableFile):
    code = "helios.doctype"

    def __init__(self) -> None:
        super().__init__(
            "Le fichier contient une déclaration DOCTYPE, interdite dans un flux PES : exportez-le "
            "de nouveau, ou signalez-le à l’éditeur de votre logiciel."
        )


class TooLarge(UnreadableFile):
    code = "helios.too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"Le fichier dépasse la taille maximale de {limit // 1024**2} Mio : demandez à "
            "l’éditeur de votre logiciel de le découper en plusieurs flux."
        )


class TooDeep(UnreadableFile):
    code = "helios.too_deep"

    def __init__(self) -> None:
        super().__init__(
            "Le fichier imbrique ses éléments bien au-delà de ce que prévoit le PES : exportez-le "
            "de nouveau, ou signalez-le à l’éditeur de votre logiciel."
        )


class TooManyObjects(UnreadableFile):
    code = "helios.too_many_objects"

    def __init__(self) -> None:
        super().__init__(
            "Le fichier contient trop de bordereaux et de pièces jointes pour un seul flux : "
            "demandez à l’éditeur de votre logiciel de le découper."
        )


class NotPes(UnreadableFile):
    code = "helios.not_pes"

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(
            f"Ce fichier XML n’est pas {expected} (élément racine « {found[:60]} ») : vérifiez que "
            "vous avez choisi le bon fichier."
        )


class WrongNamespace(UnreadableFile):
    code = "helios.wrong_namespace"

    def __init__(self, root: str, namespace: str) -> None:
        found = f"« {namespace[:100]} »" if namespace else "absent"
        super().__init__(
            f"L’élément {root} n’est pas dans l’espace de noms du PES V2 (espace de noms {found}) "
            ": signalez-le à l’éditeur de votre logiciel."
        )


class RepeatedField(UnreadableFile):
    code = "helios.repeated_field"

    def __init__(self, element: str) -> None:
        super().__init__(
            f"La balise {element} figure plusieurs fois avec des valeurs différentes dans "
            "l’en-tête : signalez-le à l’éditeur de votre logiciel."
        )
