# ruff: noqa: RUF001 -- words of other scripts than the Latin
"""Lists the words that ask for names and ids in the languages in which students label them.

Words that English has, too, stand in `name_labels`. Accents may be left out by whoever types.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from grader.text_folding import fold_accents


class LabelWords(NamedTuple):
    """The label words of one language, by what they ask for, with commas between them."""

    names: str
    ids: str
    others: str
    """What names no author and no id of one: the course, a date, a teacher."""
    name: str = ""
    """What asks for a whole name, or for a part of it where another label asks for the other."""
    first_name: str = ""
    last_name: str = ""


def label_words(*fields: str) -> frozenset[str]:
    """Return the words in these fields of all languages, those of Latin letters also unaccented."""
    return frozenset(_all_words(fields))


def any_of(words: Iterable[str]) -> str:
    """Return a pattern of whole words, the longest first, with any space between their parts."""
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    patterns = (r"\s+".join(map(re.escape, word.split())) for word in longest_first)
    return rf"(?:{'|'.join(patterns)})(?!\w)"


def _all_words(fields: tuple[str, ...]) -> Iterator[str]:
    for words in LABEL_WORDS.values():
        for word in ", ".join(getattr(words, field) for field in fields).split(", "):
            folded = fold_accents(word)
            yield from filter(None, (word, folded if folded.isascii() else ""))


LABEL_WORDS = {
    "German": LabelWords(
        name="name",
        names="vor- und nachname, vor- und zuname, vorname und nachname, vorname nachname,"
        " nachname vorname, namen, name des studenten, name der studentin, vollständiger name,"
        " student/in, studentin, studenten, studierende, studierender, teilnehmer, mitglieder,"
        " gruppenmitglieder, teammitglieder, gruppe, verfasser, verfasserin, autor, autorin,"
        " autoren, bearbeiter, bearbeitet von, eingereicht von, abgegeben von",
        ids="matrikelnummer, matrikelnummern, matrikelnr, matrikelnr., matrikel-nr, matrikel-nr.,"
        " matrikel nr, matrikel nr., matrikel, matr.-nr., matr.nr., matr. nr., matrnr, matr-nr,"
        " mat.-nr., matnr, immatrikulationsnummer, studentennummer, legi-nummer, legi-nr, legi-nr.,"
        " uni-kennung, kennung, benutzerkennung, personenkennzeichen",
        first_name="vorname, vornamen, rufname",
        last_name="nachname, nachnamen, familienname, zuname",
        others="datum, kurs, fach, studiengang, semester, fachsemester, dozent, dozentin, betreuer,"
        " tutor, tutorin, abgabe, abgabedatum, übungsgruppe, fachbereich",
    ),
    "French": LabelWords(
        name="nom, noms",
        names="nom et prénom, nom et prénoms, noms et prénoms, prénom et nom, nom prénom,"
        " prénom nom, nom complet, nom de l'étudiant, nom de l'étudiante, étudiant, étudiante,"
        " étudiants, étudiant(e), auteur, auteurs, autrice, membres, membres du groupe, binôme,"
        " équipe, réalisé par, rendu par, fait par",
        ids="numéro étudiant, numéro d'étudiant, numéro d'étudiante, n° étudiant, n° d'étudiant,"
        " no étudiant, no d'étudiant, num étudiant, numéro de carte étudiant, matricule,"
        " numéro de matricule, no de matricule, n° de matricule, code permanent, identifiant, ine,"
        " sciper",
        first_name="prénom, prénoms",
        last_name="nom de famille",
        others="cours, matière, filière, enseignant, enseignante, professeur, date de remise,"
        " année, niveau, groupe de td, groupe de tp",
    ),
    "Spanish": LabelWords(
        name="nombre, nombres",
        names="nombre completo, nombre y apellido, nombre y apellidos,"
        " nombres y apellidos, apellido y nombre, apellidos y nombre, apellidos y nombres,"
        " nombre del alumno, nombre de la alumna, nombre del estudiante, alumno, alumna, alumnos,"
        " alumno/a, estudiante, estudiantes, autora, autores, integrante, integrantes, miembros,"
        " equipo, compañero, compañera, realizado por, entregado por, hecho por",
        ids="matrícula, número de matrícula, núm. de matrícula, no. de matrícula, nro de matrícula,"
        " carné, carnet, dni, nie, rut, cédula, código, código de estudiante,"
        " código del estudiante, número de estudiante, número de alumno, id de estudiante,"
        " legajo, padrón, boleta, expediente, número de expediente, número de cuenta,"
        " no. de cuenta, número de control,"
        " registro, usuario",
        first_name="primer nombre",
        last_name="apellido, apellidos",
        others="fecha, curso, asignatura, materia, profesor, profesora, docente, carrera, sección,"
        " fecha de entrega, grado",
    ),
    "Portuguese": LabelWords(
        name="nome, nomes",
        names="nome completo, nome e sobrenome, nome e apelido, nome do aluno,"
        " nome da aluna, nome do estudante, aluno, aluna, alunos, aluno(a), estudante, estudantes,"
        " membros, dupla, equipe, grupo, feito por, entregue por",
        ids="número de matrícula, nº de matrícula, no de matrícula, nº matrícula, número usp,"
        " nº usp, no usp, n° usp, nusp, ra, dre, número mecanográfico, nº mecanográfico, nmec,"
        " número de aluno, nº de aluno, número de estudante, registro acadêmico, cartão",
        first_name="primeiro nome",
        last_name="sobrenome, apelido, último nome",
        others="data, disciplina, turma, data de entrega",
    ),
    "Italian": LabelWords(
        names="nome e cognome, cognome e nome, nome cognome, cognome nome, nominativo, studente,"
        " studentessa, studenti, studente/i, autore, autori, autrice, membri, gruppo, componenti,"
        " svolto da, consegnato da",
        ids="matricola, matricole, numero di matricola, n. matricola, n. di matricola,"
        " numero matricola, codice persona",
        last_name="cognome, cognomi",
        others="corso, docente, professoressa, materia, anno, data di consegna",
    ),
    "Dutch": LabelWords(
        name="naam, namen",
        names="voor- en achternaam, volledige naam, naam student, studenten, auteur,"
        " auteurs, groep, groepsleden, teamleden, leden, gemaakt door, ingeleverd door",
        ids="studentnummer, studentnummers, studentennummer, student-nr, studentnr, studentnr.,"
        " stamnummer, rolnummer, u-nummer, s-nummer, r-nummer, collegekaartnummer",
        first_name="voornaam, voornamen, roepnaam",
        last_name="achternaam, familienaam",
        others="vak, cursus, opleiding, studierichting, inleverdatum",
    ),
    "Polish": LabelWords(
        names="imię i nazwisko, imiona i nazwiska, nazwisko i imię, imię nazwisko, studentka,"
        " studenci, autorzy, autorka, członkowie, zespół, grupa, wykonał, wykonała, wykonali",
        ids="numer albumu, nr albumu, nr. albumu, numer indeksu, nr indeksu, nr. indeksu, indeks,"
        " album, numer studenta",
        first_name="imię, imiona",
        last_name="nazwisko, nazwiska",
        others="przedmiot, prowadzący, prowadząca, kierunek, rok, termin",
    ),
    "Turkish": LabelWords(
        names="ad soyad, adı soyadı, adi soyadi, ad-soyad, ad ve soyad, adı ve soyadı, isim, İsim,"
        " isim soyisim, isim soyad, İsim soyisim, öğrenci, öğrenciler, öğrenci adı, grup üyeleri,"
        " üyeler, takım, hazırlayan, hazırlayanlar",
        ids="öğrenci no, öğrenci numarası, öğrenci numaram, okul no, okul numarası, numara,"
        " numarası",
        first_name="ad, adı",
        last_name="soyad, soyadı, soyisim",
        others="tarih, ders, ders adı, bölüm, öğretim üyesi, şube",
    ),
    "Russian": LabelWords(
        names="фио, ф.и.о., ф. и. о., имя и фамилия, фамилия и имя, имя фамилия, фамилия имя,"
        " фамилия имя отчество, студент, студентка, студенты, автор,"
        " авторы, команда, выполнил, выполнила, выполнили",
        ids="номер студенческого билета, студенческий билет, номер студента, номер зачётки,"
        " номер зачетки, номер зачётной книжки, номер зачетной книжки, зачётка, зачетка,"
        " табельный номер",
        first_name="имя",
        last_name="фамилия",
        others="группа, дата, курс, предмет, дисциплина, преподаватель, проверил, проверила,"
        " вариант, факультет, кафедра",
    ),
    "Chinese": LabelWords(
        names="姓名, 名字, 全名, 学生姓名, 學生姓名, 学生, 學生, 组员, 組員, 小组成员,"
        " 小組成員, 成员, 成員, 组长, 組長, 队员, 隊員, 队友, 隊友, 作者, 合作者, 搭档",
        ids="学号, 學號, 学生号, 学生证号, 學生證號, 学籍号, 學籍號, 学生编号, 學生編號, 学生学号",
        others="日期, 班级, 班級, 专业, 專業, 学院, 學院, 课程, 課程, 教师, 教師, 老师, 老師,"
        " 指导教师, 系别, 系所, 年级, 年級, 邮箱, 郵箱, 电话, 電話",
    ),
    "Japanese": LabelWords(
        names="氏名, 名前, お名前, 学生氏名, 学生名, 提出者, 著者, 作成者, メンバー",
        ids="学籍番号, 学生番号, 学生証番号, 学番",
        others="日付, 提出日, 学科, 学部, 所属, 担当教員, 科目, 授業名, 学年",
    ),
    "Korean": LabelWords(
        names="이름, 성명, 성함, 학생 이름, 학생이름, 학생명, 학생, 작성자, 제출자, 팀원,"
        " 조원, 저자",
        ids="학번, 학생 번호, 학생번호",
        others="학과, 전공, 과목, 날짜, 제출일, 교수, 담당교수, 학년, 분반",
    ),
    "Hindi": LabelWords(
        names="pura naam, poora naam, chhatra ka naam, vidyarthi ka naam, chhatra, vidyarthi,"
        " नाम, पूरा नाम, छात्र का नाम",
        ids="anukramank, anukramank sankhya, kramank, namankan sankhya, अनुक्रमांक, रोल नंबर",
        others="vishay, kaksha, dinank, dinaank, shikshak",
    ),
    "Vietnamese": LabelWords(
        names="họ và tên, họ tên, họ & tên, tên sinh viên, họ tên sinh viên, họ và tên sinh viên,"
        " sinh viên, thành viên, nhóm, tác giả, người thực hiện",
        ids="mã số sinh viên, mã sinh viên, mã sv, mssv, msv, mã số",
        first_name="tên",
        last_name="họ",
        others="lớp, môn, môn học, ngày, giảng viên, khoa, ngành",
    ),
    "Arabic": LabelWords(
        names="الاسم, الإسم, اسم, الاسم الكامل, اسم الطالب, اسم الطالبة, الأسماء, الطالب, الطالبة,"
        " الطلاب, الفريق, أعضاء الفريق, إعداد",
        ids="الرقم الجامعي, رقم الطالب, رقم الطالبة, الرقم الأكاديمي, رقم القيد, رقم التسجيل",
        others="التاريخ, المادة, المقرر, الأستاذ, الدكتور, القسم, الشعبة, الكلية",
    ),
    "Swedish": LabelWords(
        name="namn",
        names="för- och efternamn, fullständigt namn, gruppmedlemmar, författare",
        ids="personnummer, studentnummer",
        first_name="förnamn",
        last_name="efternamn",
        others="kursnamn, kurskod, inlämningsdatum",
    ),
    "Indonesian": LabelWords(
        names="nama, nama lengkap, nama mahasiswa, anggota, kelompok",
        ids="nim, npm, nrp, nomor induk mahasiswa, nomor mahasiswa",
        others="kelas, mata kuliah, dosen, tanggal, jurusan",
    ),
}

UNSPACED_WORDS = frozenset(
    word
    for word in label_words("name", "names", "ids")
    if re.match("[\u3040-\u9fff\uac00-\ud7af]", word)
)
"""The words of scripts that may leave out the space, or the colon, behind a label."""
