// Bytes in and out for the tests of BER: a sink that keeps what it is given, and the two passes that the
// definite form takes.

import type { LengthForm } from '../../formats/ber/ber-frames.ts'
import { BerError } from '../../formats/ber/ber-error.ts'
import { BerReader } from '../../formats/ber/ber-reader.ts'
import type { BerLimits } from '../../formats/ber/ber-elements.ts'
import { BerWriter } from '../../formats/ber/ber-writer.ts'
import { sourceOf, type ByteSink, type ByteSource } from '../../formats/qemu/file/qemu-file.ts'

export class KeptBytes implements ByteSink {
  readonly #parts: Uint8Array[] = []

  write(bytes: Uint8Array): void {
    this.#parts.push(bytes.slice())
  }

  get bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#parts))
  }
}

export type Form = 'indefinite' | 'definite'
export const FORMS: readonly Form[] = ['indefinite', 'definite']

/** What `write` writes, in one pass or in two. */
export function berOf(form: Form, write: (ber: BerWriter) => void): Uint8Array {
  const lengths: number[] = []
  const passes: LengthForm[] =
    form === 'indefinite'
      ? [{ form: 'indefinite' }]
      : [
          { form: 'measure', lengths },
          { form: 'definite', lengths },
        ]
  let last = new KeptBytes()
  for (const pass of passes) {
    last = new KeptBytes()
    const ber = new BerWriter(last, pass)
    write(ber)
    ber.finish()
  }
  return last.bytes
}

export function readerOf(
  bytes: Uint8Array,
  limits?: Partial<BerLimits>,
  bufferBytes = 64,
): BerReader {
  return new BerReader(sourceOf(bytes), limits, bufferBytes)
}

/** A source that gives a byte at a time, as a slow pipe would. */
export function dribbleOf(bytes: Uint8Array): ByteSource {
  let at = 0
  return {
    read(into) {
      const count = Math.min(1, into.length, bytes.length - at)
      into.set(bytes.subarray(at, at + count))
      at += count
      return count
    },
  }
}

/** The coded error that `run` raises; anything else that it raises is raised on. */
export function errorOf(run: () => void): BerError {
  try {
    run()
  } catch (error) {
    if (error instanceof BerError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

export const fromHex = (text: string): Uint8Array =>
  new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
