"""Signatures and suffixes: what tells one kind of file from another. Data only.

Sources: Gary Kessler's table of file signatures, the magic of the `file` project, the specification of
each format.
"""

from __future__ import annotations

# (offset, bytes, reader)
READ: tuple[tuple[int, bytes, str], ...] = (
    (0, b"PAR1", "parquet"),
    (0, b"ARROW1", "arrow"),
    (0, b"\xff\xff\xff\xff", "arrow"),
    (0, b"Obj\x01", "avro"),
    (0, b"SQLite format 3\x00", "sqlite"),
    (8, b"DUCK", "duckdb"),
    (0, b"\x1f\x8b\x08", "gzip"),
    (0, b"BZh", "bzip2"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"\x5d\x00\x00", "lzma"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (257, b"ustar", "tar"),
    (0, b"PK\x03\x04", "zip"),
    (0, b"PK\x05\x06", "zip"),
    (0, b"PK\x07\x08", "zip"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
)

IMAGE, SOUND, VIDEO, FONT = "an image", "sound", "video", "a font"

PROGRAM, DISK, PACKED = "an executable program", "a disk image", "an archive of a form that is not unpacked"

LATER = "a document (documents are not read by this version)"

CRYPT = "encrypted"

# (offset, bytes, what it is): named in the coverage, not read
NAMED: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF-", f"PDF, {LATER}"),
    (0, b"{\\rtf", f"RTF, {LATER}"),
    (0, b"%!PS", f"PostScript, {LATER}"),
    (0, b"AT&TFORM", f"DjVu, {LATER}"),
    (0, b"!BDN", f"Outlook mail store, {LATER}"),
    (0, b"PGDMP", "pg_dump in its custom form (turn it into text first: pg_restore -f -)"),
    (0, b"REDIS0", "Redis snapshot (RDB), not read by this version"),
    (0, b"ORC", "ORC, not read by this version"),
    (0, b"FEA1", "Feather version 1, not read by this version"),
    (0, b"PARE", "Parquet with an encrypted footer"),
    (0, b"\x89HDF\r\n\x1a\n", "HDF5, not read by this version"),
    (0, b"CDF\x01", "NetCDF, not read by this version"),
    (0, b"\x93NUMPY", "NumPy array, not read by this version"),
    (0, b"$FL2", "SPSS data, not read by this version"),
    (0, b"<stata_dta>", "Stata data, not read by this version"),
    (0, b"RDX3\n", "R data, not read by this version"),
    (0, b"\x00\x01\x00\x00Standard ", "Microsoft Access database, not read by this version"),
    (0, b"7z\xbc\xaf\x27\x1c", f"7z, {PACKED}"),
    (0, b"Rar!\x1a\x07", f"RAR, {PACKED}"),
    (0, b"MSCF", f"CAB, {PACKED}"),
    (0, b"\x04\x22\x4d\x18", f"LZ4, {PACKED}"),
    (0, b"LZIP", f"lzip, {PACKED}"),
    (0, b"\x89LZO", f"lzop, {PACKED}"),
    (0, b"\xff\x06\x00\x00sNaPpY", f"Snappy, {PACKED}"),
    (0, b"\x1f\x9d", f"compress (.Z), {PACKED}"),
    (0, b"!<arch>\n", f"ar, {PACKED}"),
    (0, b"070701", f"cpio, {PACKED}"),
    (0, b"xar!", f"xar, {PACKED}"),
    (0, b"\xed\xab\xee\xdb", f"RPM package, {PACKED}"),
    (0, b"-----BEGIN PGP MESSAGE", f"PGP message, {CRYPT}"),
    (0, b"age-encryption.org/", f"age, {CRYPT}"),
    (0, b"Salted__", f"OpenSSL, {CRYPT}"),
    (0, b"LUKS\xba\xbe", f"LUKS volume, {CRYPT}"),
    (0, b"\x03\xd9\xa2\x9a", f"KeePass database, {CRYPT}"),
    (0, b"\x89PNG\r\n\x1a\n", f"PNG, {IMAGE}"),
    (0, b"\xff\xd8\xff", f"JPEG, {IMAGE}"),
    (0, b"GIF87a", f"GIF, {IMAGE}"),
    (0, b"GIF89a", f"GIF, {IMAGE}"),
    (0, b"II*\x00", f"TIFF, {IMAGE}"),
    (0, b"MM\x00*", f"TIFF, {IMAGE}"),
    (0, b"8BPS\x00\x01", f"Photoshop, {IMAGE}"),
    (0, b"\x00\x00\x01\x00", f"ICO, {IMAGE}"),
    (0, b"\x00\x00\x00\x0cjP  ", f"JPEG 2000, {IMAGE}"),
    (8, b"WEBP", f"WebP, {IMAGE}"),
    (128, b"DICM", f"DICOM, {IMAGE} of a patient"),
    (4, b"ftypheic", f"HEIC, {IMAGE}"),
    (4, b"ftypmif1", f"HEIC, {IMAGE}"),
    (4, b"ftypavif", f"AVIF, {IMAGE}"),
    (4, b"ftypM4A", f"M4A, {SOUND}"),
    (4, b"ftyp", f"MP4, {VIDEO}"),
    (4, b"moov", f"QuickTime, {VIDEO}"),
    (8, b"AVI ", f"AVI, {VIDEO}"),
    (8, b"WAVE", f"WAV, {SOUND}"),
    (0, b"\x1a\x45\xdf\xa3", f"Matroska, {VIDEO}"),
    (0, b"FLV\x01", f"FLV, {VIDEO}"),
    (0, b"\x00\x00\x01\xba", f"MPEG, {VIDEO}"),
    (0, b"\x00\x00\x01\xb3", f"MPEG, {VIDEO}"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", f"ASF, {VIDEO}"),
    (0, b"ID3", f"MP3, {SOUND}"),
    (0, b"\xff\xfb", f"MP3, {SOUND}"),
    (0, b"OggS", f"Ogg, {SOUND}"),
    (0, b"fLaC", f"FLAC, {SOUND}"),
    (0, b"#!AMR", f"AMR, {SOUND}"),
    (0, b"MThd", f"MIDI, {SOUND}"),
    (0, b"OTTO\x00", f"OpenType, {FONT}"),
    (0, b"\x00\x01\x00\x00\x00", f"TrueType, {FONT}"),
    (0, b"ttcf", f"TrueType, {FONT}"),
    (0, b"wOFF", f"WOFF, {FONT}"),
    (0, b"wOF2", f"WOFF2, {FONT}"),
    (0, b"\x7fELF", f"ELF, {PROGRAM}"),
    (0, b"\xca\xfe\xba\xbe", f"Java class or Mach-O, {PROGRAM}"),
    (0, b"\xcf\xfa\xed\xfe", f"Mach-O, {PROGRAM}"),
    (0, b"\xce\xfa\xed\xfe", f"Mach-O, {PROGRAM}"),
    (0, b"\x00asm", f"WebAssembly, {PROGRAM}"),
    (0, b"dex\n03", f"Dalvik, {PROGRAM}"),
    (0, b"\xed\xfe\xed\xfe\x00\x00\x00", f"Java key store, {CRYPT}"),
    (0, b"\xac\xed\x00\x05", "Java serialised objects (never loaded)"),
    (0, b"QFI\xfb", f"QCOW, {DISK}"),
    (0, b"KDMV", f"VMDK, {DISK}"),
    (0, b"conectix", f"VHD, {DISK}"),
    (32769, b"CD001", f"ISO 9660, {DISK}"),
    (0, b"\xd4\xc3\xb2\xa1", "network capture (pcap), not read by this version"),
    (0, b"\xa1\xb2\xc3\xd4", "network capture (pcap), not read by this version"),
    (0, b"\x0a\x0d\x0d\x0a", "network capture (pcapng), not read by this version"),
    (0, b"PACK\x00\x00\x00", "git pack, not read by this version"),
    (0, b"DIRC\x00\x00\x00", "git index, not read by this version"),
    (0, b"bplist00", "binary property list, not read by this version"),
)

TEXT_SIGNED = (
    "PDF",
    "RTF",
    "PostScript",
    "PGP",
    "age",
)  # their signature is enough: the rest may look like text

# suffix -> kind that the name promises; the content decides, the name only settles what content leaves open
SUFFIXES: dict[str, str] = {
    **dict.fromkeys((".csv", ".psv", ".ssv"), "csv"),
    **dict.fromkeys((".tsv", ".tab"), "tsv"),
    **dict.fromkeys((".json", ".geojson", ".har", ".topojson", ".webmanifest", ".ipynb"), "json"),
    **dict.fromkeys((".ndjson", ".jsonl", ".ldjson", ".geojsonl"), "ndjson"),
    **dict.fromkeys((".xml", ".xsd", ".rss", ".atom", ".kml", ".gpx", ".svg", ".xliff", ".plist"), "xml"),
    **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
    **dict.fromkeys((".sql", ".dump", ".ddl"), "sql_dump"),
    **dict.fromkeys((".parquet", ".pq", ".parq"), "parquet"),
    **dict.fromkeys((".arrow", ".feather", ".ipc", ".arrows"), "arrow"),
    **dict.fromkeys((".sqlite", ".sqlite3", ".db", ".db3"), "sqlite"),
    **dict.fromkeys((".duckdb", ".ddb"), "duckdb"),
    **dict.fromkeys((".xlsx", ".xlsm", ".xltx", ".xltm"), "xlsx"),
    **dict.fromkeys((".xls", ".xlt"), "xls"),
    **dict.fromkeys((".tgz", ".gz", ".gzip"), "gzip"),
    **dict.fromkeys((".tbz2", ".tbz", ".bz2"), "bzip2"),
    **dict.fromkeys((".txz", ".xz"), "xz"),
    **dict.fromkeys((".tzst", ".zst", ".zstd"), "zstd"),
    ".avro": "avro",
    ".bson": "bson",
    ".xlsb": "xlsb",
    ".ods": "ods",
    ".zip": "zip",
    ".tar": "tar",
    ".lzma": "lzma",
}

FAMILIES = ({"csv", "tsv", "text"}, {"json", "ndjson"}, {"xml", "html"})

SPOKEN = {
    "sql_dump": "an SQL dump",
    "csv": "CSV",
    "tsv": "TSV",
    "json": "JSON",
    "ndjson": "NDJSON",
    "xml": "XML",
    "html": "HTML",
    "bson": "BSON",
    "sqlite": "SQLite",
    "duckdb": "DuckDB",
    "parquet": "Parquet",
    "avro": "Avro",
    "arrow": "Arrow",
}

OFFICE = (
    ("xl/workbook.bin", "xlsb", ""),
    ("xl/", "xlsx", ""),
    ("word/", "", f"Word, {LATER}"),
    ("ppt/", "", f"PowerPoint, {LATER}"),
    ("visio/", "", f"Visio, {LATER}"),
    ("META-INF/MANIFEST.MF", "", f"JAR, {PROGRAM}"),
    ("AndroidManifest.xml", "", f"APK, {PROGRAM}"),
    ("Index/Document.iwa", "", f"iWork, {LATER}"),
    ("doc.kml", "zip", ""),
)

ODF = {
    b"spreadsheet": ("ods", ""),
    b"text": ("", f"OpenDocument text, {LATER}"),
    b"pres": ("", f"Slides, {LATER}"),
    b"graphics": ("", f"OpenDocument drawing, {LATER}"),
}

OLE = (
    ("EncryptedPackage", "", f"Office file, {CRYPT} with a password"),
    ("Workbook", "xls", ""),
    ("Book", "xls", ""),
    ("WordDocument", "", f"Word, {LATER}"),
    ("PowerPoint Document", "", f"PowerPoint, {LATER}"),
    ("__nameid_version1.0", "", f"Outlook mail, {LATER}"),
    ("__properties_version1.0", "", f"Outlook mail, {LATER}"),
    ("VisioDocument", "", f"Visio, {LATER}"),
)
