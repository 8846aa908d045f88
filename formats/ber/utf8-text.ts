// UTF-8 in a pure folder, which has no TextEncoder. Names in QEMU's streams are bytes that nobody promised to be UTF-8; the
// project reads each as one character, so a byte above 7f becomes two octets here, and one byte again on the way
// back. That keeps every name valid as UTF8String and none is changed.

const REPLACEMENT = 0xfffd

export function utf8Of(text: string): Uint8Array {
  const out: number[] = []
  for (const character of text) {
    const point = character.codePointAt(0) ?? REPLACEMENT
    if (point < 0x80) out.push(point)
    else if (point < 0x800) out.push(0xc0 | (point >> 6), 0x80 | (point & 0x3f))
    else if (point < 0x10000) {
      out.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f))
    } else {
      out.push(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 0x3f))
      out.push(0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f))
    }
  }
  return Uint8Array.from(out)
}

/** The first octets of a sequence, by how many follow: its fixed bits, and the least point it may stand for. */
const LEADS = [
  { mask: 0x80, bits: 0, least: 0 },
  { mask: 0xe0, bits: 0xc0, least: 0x80 },
  { mask: 0xf0, bits: 0xe0, least: 0x800 },
  { mask: 0xf8, bits: 0xf0, least: 0x10000 },
] as const

/** Undefined for what is not UTF-8: overlong forms, surrogates and points beyond 10ffff included. */
export function textOfUtf8(bytes: Uint8Array): string | undefined {
  let text = ''
  for (let at = 0; at < bytes.length;) {
    const lead = bytes[at] ?? 0
    const following = LEADS.findIndex(({ mask, bits }) => (lead & mask) === bits)
    const row = LEADS[following]
    if (row === undefined || at + following >= bytes.length) return undefined
    let point = lead & ~row.mask & 0xff
    for (let i = 1; i <= following; i++) {
      const octet = bytes[at + i] ?? 0
      if ((octet & 0xc0) !== 0x80) return undefined
      point = point * 64 + (octet & 0x3f)
    }
    if (point < row.least || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
      return undefined
    text += String.fromCodePoint(point)
    at += following + 1
  }
  return text
}
