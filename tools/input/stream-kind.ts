// What a file is by its first bytes, for whoever gave it to the wrong verb: the verb that reads it.

/** As many bytes as are looked at: what was taken down from a pipe may have text, or more, ahead of the stream. */
export const KIND_BYTES = 4096
/** Fewer are found in anything. */
const SURE_BYTES_MIN = 4

/** The first KIND_BYTES of what comes in pieces of any size. */
export class FirstBytes {
  readonly #bytes = new Uint8Array(KIND_BYTES)
  #length = 0

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** The next piece: [from, to) of `chunk`. */
  add(chunk: Uint8Array, from: number, to: number): void {
    const taken = Math.min(to - from, KIND_BYTES - this.#length)
    if (taken <= 0) return
    this.#bytes.set(chunk.subarray(from, from + taken), this.#length)
    this.#length += taken
  }
}

interface Kind {
  readonly is: string
  /** The first bytes, as characters of one byte each. */
  readonly first: string
  /** The words of the command that reads it. */
  readonly verb: string
}

const KINDS: readonly Kind[] = [
  { is: 'a migration stream of QEMU', first: 'QEVM', verb: 'decode' },
  { is: 'a migration stream of QEMU', first: 'QEVM', verb: 'convert --to ber' },
  { is: 'BER of a migration stream', first: '\u007f\u00d1\u0046', verb: 'convert --to binary' },
  { is: "a stream of Xen's libxl", first: 'LibxlFmt', verb: 'verify' },
  { is: "a stream of Xen's libxc", first: '\u00ff'.repeat(8) + 'XENF', verb: 'verify' },
  { is: "COLO's back channel", first: '\u0005\0\0\0\u0004\0\0\0', verb: 'verify --form back' },
  { is: "a file of Xen's xl", first: 'Xen saved domain', verb: 'verify' },
  { is: 'a WebAssembly module', first: '\0asm', verb: 'guest inspect' },
  { is: 'packed by gzip', first: '\u001f\u008b', verb: 'zcat' },
  { is: 'packed by xz', first: '\u00fd7zXZ\0', verb: 'xzcat' },
  { is: 'packed by zstd', first: '\u0028\u00b5\u002f\u00fd', verb: 'zstdcat' },
]

/** Begins with a semicolon; empty if it is what the verb reads, or nobody's. */
export function hintFor(first: Uint8Array, verb: string): string {
  const text = Array.from(first, (byte) => String.fromCharCode(byte)).join('')
  const kinds = KINDS.filter((kind) => text.startsWith(kind.first))
  const [kind] = kinds
  const [own] = verb.split(' ')
  if (kind === undefined) return hintFurtherIn(text, verb)
  if (kinds.some((one) => one.verb === verb)) return ''
  const best = kinds.find((one) => one.verb.startsWith(own ?? verb)) ?? kind
  if (best.verb.endsWith('cat')) return `; it is ${best.is}: ${best.verb} FILE | colo ${verb} -`
  return `; it is ${best.is}: colo ${best.verb} reads it`
}

/** What the verb reads may begin behind something else. */
function hintFurtherIn(text: string, verb: string): string {
  const places = KINDS.flatMap((kind) => {
    const at = kind.first.length < SURE_BYTES_MIN ? -1 : text.indexOf(kind.first)
    return kind.verb === verb && at > 0 ? [{ kind, at }] : []
  })
  const [place] = places.toSorted((one, other) => one.at - other.at)
  if (place === undefined) return ''
  const { kind, at } = place
  return `; ${kind.is} begins at byte ${at}: tail -c +${at + 1} FILE | colo ${verb} -`
}
