// What a file is by its first bytes, for whoever gave it to the wrong verb: the verb that reads it.

/** As many bytes as are looked at. */
export const KIND_BYTES = 16

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
  { is: "a file of Xen's xl", first: 'Xen saved domain', verb: 'verify' },
  { is: 'a WebAssembly module', first: '\0asm', verb: 'guest inspect' },
  { is: 'packed by gzip', first: '\u001f\u008b', verb: 'zcat' },
  { is: 'packed by xz', first: '\u00fd7zXZ\0', verb: 'xzcat' },
  { is: 'packed by zstd', first: '\u0028\u00b5\u002f\u00fd', verb: 'zstdcat' },
]

/** Begins with a semicolon; empty if it is what the verb reads, or nobody's. */
export function hintFor(first: Uint8Array, verb: string): string {
  const text = String.fromCharCode(...first)
  const kinds = KINDS.filter((kind) => text.startsWith(kind.first))
  const [kind] = kinds
  const [own] = verb.split(' ')
  if (kind === undefined || kinds.some((one) => one.verb === verb)) return ''
  const best = kinds.find((one) => one.verb.startsWith(own ?? verb)) ?? kind
  if (best.verb.endsWith('cat')) return `; it is ${best.is}: ${best.verb} FILE | colo ${verb} -`
  return `; it is ${best.is}: colo ${best.verb} reads it`
}
