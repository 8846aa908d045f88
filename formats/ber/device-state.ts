// The state of one device between its bytes in a stream and its VMState in BER. On the way to BER the way back is
// tried at once: what would not come back to the byte (a bool that is 2, a description that does not fit) is not
// taken apart, and stays the bytes that it is.

import { BinaryInputVisitor, BinaryOutputVisitor } from '../qemu/vmstate/binary-visitor.ts'
import { QemuFileReader, QemuFileWriter, sourceOf, type ByteSink } from '../qemu/file/qemu-file.ts'
import { QemuStreamError } from '../qemu/file/qemu-stream-error.ts'
import { transfer } from '../qemu/vmstate/transfer.ts'
import type { VMStateDescription } from '../qemu/vmstate/vmstate.ts'
import { BerError } from './ber-error.ts'
import { BerInputVisitor } from './ber-input-visitor.ts'
import { BerOutputVisitor } from './ber-output-visitor.ts'
import { BerReader } from './ber-reader.ts'
import { BerWriter } from './ber-writer.ts'

/** Most bytes that the state of one device may have: above it is damage. */
const STATE_BYTES_MAX = 256 * 1024 * 1024
/** Most have some hundred, and a session has thousands of them. */
const BUFFER_BYTES = 4096

/** Keeps what it is given, up to a limit that only damage exceeds. */
class Gathered implements ByteSink {
  readonly #item: string
  #buffer = new Uint8Array(BUFFER_BYTES)
  #length = 0

  constructor(item: string) {
    this.#item = item
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length)
  }

  write(bytes: Uint8Array): void {
    const length = this.#length + bytes.length
    if (length > STATE_BYTES_MAX) {
      const rule = `the state of a device with more than ${STATE_BYTES_MAX} bytes`
      throw new BerError('too-long', 0, this.#item, rule)
    }
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#buffer.length))
      larger.set(this.bytes)
      this.#buffer = larger
    }
    this.#buffer.set(bytes, this.#length)
    this.#length = length
  }
}

/** Reads the VMState that comes next, and returns it as QEMU writes it. Raises BerError or QemuStreamError. */
export function stateOutOfBer(
  ber: BerReader,
  vmsd: VMStateDescription,
  version_id: number,
): Uint8Array {
  const gathered = new Gathered(vmsd.name)
  const file = new QemuFileWriter(gathered, BUFFER_BYTES)
  transfer(vmsd, new BerInputVisitor(ber), new BinaryOutputVisitor(file), { version_id })
  file.flush()
  return gathered.bytes
}

export interface StateInBer {
  /** The VMState element; undefined where the bytes cannot be taken apart. */
  readonly encoded?: Uint8Array
  /** Why not. */
  readonly reason?: string
}

/** The VMState of a body, as QEMU wrote it, by its description. */
export function stateIntoBer(
  body: Uint8Array,
  vmsd: VMStateDescription,
  version_id: number,
): StateInBer {
  try {
    const gathered = new Gathered(vmsd.name)
    const ber = new BerWriter(gathered, { form: 'indefinite' }, BUFFER_BYTES)
    const file = new QemuFileReader(sourceOf(body), body.length + 1)
    transfer(vmsd, new BinaryInputVisitor(file), new BerOutputVisitor(ber), { version_id })
    if (!file.atEnd)
      return { reason: `its description ends at byte ${file.offset} of ${body.length}` }
    ber.finish()
    const encoded = gathered.bytes
    const reader = new BerReader(sourceOf(encoded), {}, encoded.length + 1)
    const again = stateOutOfBer(reader, vmsd, version_id)
    if (again.length === body.length && again.every((byte, i) => byte === body[i]))
      return { encoded }
    return { reason: 'a value that its type cannot have' }
  } catch (error) {
    if (error instanceof QemuStreamError || error instanceof BerError)
      return { reason: error.message }
    throw error
  }
}
