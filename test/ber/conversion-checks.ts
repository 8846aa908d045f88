// What must hold of a conversion, whatever its input is: it ends in a result or in a coded error, what it writes is
// bounded, and what was converted comes back as it was.

import { BerError, berErrorCodes } from '../../formats/ber/ber-error.ts'
import { berToStream } from '../../formats/ber/ber-to-stream.ts'
import { streamToBer } from '../../formats/ber/stream-to-ber.ts'
import { sourceOf } from '../../formats/qemu/file/qemu-file.ts'
import { QemuStreamError, qemuStreamErrorCodes } from '../../formats/qemu/file/qemu-stream-error.ts'
import { KeptBytes } from './bytes.ts'

/** Of what a test keeps: damage can ask for gigabytes of zero pages, in records of some bytes. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024

export function berOfStream(bytes: Uint8Array, definite: boolean): Uint8Array {
  const kept = new KeptBytes()
  streamToBer(() => sourceOf(bytes), kept, { definite })
  return kept.bytes
}

/** The stream, or undefined where it is too long to be kept. */
export function streamOfBer(ber: Uint8Array): Uint8Array | undefined {
  const parts: Uint8Array[] = []
  let written = 0
  const write = (bytes: Uint8Array) => {
    written += bytes.length
    if (written <= KEPT_BYTES_MAX) parts.push(bytes.slice())
  }
  berToStream(() => sourceOf(ber), { write })
  // Each octet can say a run of zero pages at most; 14 octets do.
  if (written > 1000 + ber.length * (65_536 * 9)) throw new Error(`${written} bytes were written`)
  return written > KEPT_BYTES_MAX ? undefined : new Uint8Array(Buffer.concat(parts))
}

/** `taken`, or what `convert` says, or the code of its error. Raises what has no code. */
export function codeOf(convert: () => string | void): string {
  try {
    return convert() ?? 'taken'
  } catch (error) {
    if (!(error instanceof BerError) && !(error instanceof QemuStreamError)) throw error
    if (!(error.code in berErrorCodes) && !(error.code in qemuStreamErrorCodes)) throw error
    if (!(error.offset >= 0) || error.rule === '') throw error
    return error.code
  }
}

/** A stream into BER and back. */
export function checkStream(bytes: Uint8Array, definite: boolean): string {
  let ber: Uint8Array | undefined
  const code = codeOf(() => {
    ber = berOfStream(bytes, definite)
  })
  if (ber === undefined) return code
  const again = streamOfBer(ber)
  if (again !== undefined && Buffer.compare(again, bytes) !== 0) {
    throw new Error('it does not come back from BER as it was')
  }
  return code
}

/** BER into a stream; that again into BER, and out of it: the same stream. */
export function checkBer(ber: Uint8Array, definite: boolean): string {
  let stream: Uint8Array | undefined
  const code = codeOf(() => {
    stream = streamOfBer(ber)
  })
  if (stream === undefined) return code
  const bytes = stream
  const told = codeOf(() => {
    const again = streamOfBer(berOfStream(bytes, definite))
    if (again !== undefined && Buffer.compare(again, bytes) !== 0) {
      throw new Error('the stream that came of it does not come back from BER as it was')
    }
  })
  return told === 'taken' ? 'taken' : `taken, then ${told}`
}
