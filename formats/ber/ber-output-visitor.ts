// The state of a device written in BER: VMState of the module. The same walk that reads and writes QEMU's own
// bytes drives it, so nothing here knows a device. Every element is held: a device is small, and its lengths are
// definite in either form of file.

import { vmstateType, type IntegerType } from '../qemu/vmstate/vmstate-types.ts'
import type { VMStateDescription, VMStateField } from '../qemu/vmstate/vmstate.ts'
import type { OutputVisitor } from '../qemu/vmstate/visitor.ts'
import type { BerWriter } from './ber-writer.ts'
import { TAGS } from './migration-tags.ts'

const INT64_MAX = 2n ** 63n - 1n

export class BerOutputVisitor implements OutputVisitor {
  readonly #ber: BerWriter
  /** Of each VMState that is open, whether its list of subsections is. */
  readonly #inSubsections: boolean[] = []
  readonly #scratch = new Uint8Array(8)
  readonly #view = new DataView(this.#scratch.buffer)

  constructor(ber: BerWriter) {
    this.#ber = ber
  }

  beginStruct(): void {
    this.#ber.hold(TAGS.VMState)
    this.#ber.hold()
    this.#inSubsections.push(false)
  }

  endStruct(): void {
    this.#inSubsections.pop()
    // The list that is open: that of the fields, or that of the subsections.
    this.#ber.close()
    this.#ber.close()
  }

  beginArray(): void {
    this.#ber.hold()
  }

  endArray(): void {
    this.#ber.close()
  }

  /** A tree's number of elements stands ahead of them, as in QEMU's own format. */
  beginList(field: VMStateField, count?: number): void {
    this.#ber.hold()
    if (vmstateType(field.type).kind === 'tree') this.#ber.integer(count ?? 0)
  }

  nextElement(): void {}

  endList(): void {
    this.#ber.close()
  }

  nullPointer(): void {
    this.#ber.null()
  }

  bool(_field: VMStateField, value: boolean): void {
    this.#ber.boolean(value)
  }

  int(_field: VMStateField, _type: IntegerType, value: number): void {
    this.#ber.integer(value)
  }

  int64(_field: VMStateField, _type: IntegerType, value: bigint): void {
    if (value <= INT64_MAX) {
      this.#ber.integer(value)
      return
    }
    this.#view.setBigUint64(0, value)
    this.#ber.octets(this.#scratch, TAGS.u64)
  }

  bytes(_field: VMStateField, value: Uint8Array): void {
    this.#ber.octets(value)
  }

  bitmap(_field: VMStateField, _bits: number, value: Uint8Array): void {
    this.#ber.bits(value)
  }

  text(_field: VMStateField, value: string): void {
    this.#ber.text(value)
  }

  beginSubsection(vmsd: VMStateDescription, version_id: number): void {
    const ber = this.#ber
    const isFirst = this.#inSubsections.at(-1) === false
    if (isFirst) {
      ber.close()
      ber.hold(TAGS.SubSecList)
      this.#inSubsections[this.#inSubsections.length - 1] = true
    }
    ber.hold(TAGS.SubSection)
    ber.name(vmsd.name)
    ber.integer(version_id)
    this.beginStruct()
  }

  endSubsection(): void {
    this.endStruct()
    this.#ber.close()
  }
}
