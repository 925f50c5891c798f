"""Spreadsheets: XLSX, XLSB, XLS, ODS."""
