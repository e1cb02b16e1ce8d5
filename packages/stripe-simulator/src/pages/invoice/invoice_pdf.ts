/**
 * A one-page PDF of plain lines (ISO 32000-1, 7.5): catalog, page tree, page, contents, font and a cross-reference
 * table. Characters outside Latin-1 become question marks, since the standard fonts have no others.
 */
export function writePdf(lines: string[]): Uint8Array<ArrayBuffer> {
  const text = lines.map((line) => `(${escape(line)}) Tj T*`).join("\n");
  const contents = `BT /F1 12 Tf 18 TL 72 770 Td\n${text}\nET`;
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
    `<< /Length ${contents.length} >>\nstream\n${contents}\nendstream`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
  ];
  return toLatin1(assemble(objects));
}

function assemble(objects: string[]): string {
  let file = "%PDF-1.4\n";
  const offsets = objects.map((object, index) => {
    const offset = file.length;
    file += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return offset;
  });
  const entries = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("");
  const size = objects.length + 1;
  return `${file}xref\n0 ${size}\n0000000000 65535 f \n${entries}` +
    `trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${file.length}\n%%EOF\n`;
}

function escape(text: string): string {
  return text.replace(/[\\()]/g, "\\$&").replace(/[^\x20-\xff]/g, "?");
}

function toLatin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
