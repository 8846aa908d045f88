// Replies of RESP2 as a client reads them. A simple reply is kept as the text it came as, without its end, so that
// two replies are compared byte for byte.

export type Reply = string | null | readonly Reply[]

interface Found {
  readonly reply: Reply
  readonly end: number
}

/** The reply that begins at `from`, or undefined if it is not complete. Errors, numbers and words keep their sign. */
export function readReply(text: string, from = 0): Found | undefined {
  const lineEnd = text.indexOf('\r\n', from)
  if (lineEnd < 0) return undefined
  const line = text.slice(from, lineEnd)
  const next = lineEnd + 2
  const length = Number(line.slice(1))
  if (line.startsWith('*')) return readArray(text, next, length)
  if (!line.startsWith('$')) return { reply: line, end: next }
  if (length < 0) return { reply: null, end: next }
  if (text.length < next + length + 2) return undefined
  return { reply: `$${text.slice(next, next + length)}`, end: next + length + 2 }
}

function readArray(text: string, from: number, count: number): Found | undefined {
  if (count < 0) return { reply: '*-1', end: from }
  const items: Reply[] = []
  let end = from
  for (let i = 0; i < count; i++) {
    const found = readReply(text, end)
    if (!found) return undefined
    items.push(found.reply)
    end = found.end
  }
  return { reply: items, end }
}
