const GZIP = [0x1f, 0x8b] as const

/** The text of a file, which may be compressed by gzip. @errors Rejects when it can't be read. */
export async function fileText(file: Blob): Promise<string> {
  const start = new Uint8Array(await file.slice(0, 2).arrayBuffer())
  if (GZIP.some((byte, i) => start[i] !== byte)) return file.text()
  return new Response(file.stream().pipeThrough(new DecompressionStream('gzip'))).text()
}
