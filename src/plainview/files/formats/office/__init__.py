"""Text documents and slides: DOCX, PPTX, ODT, ODP and their kin; what stands beside the cells of a workbook."""
