// What is inside of a field of type virtio, for the tests.

import {
  BinaryInputVisitor,
  BinaryOutputVisitor,
} from '../../formats/qemu/vmstate/binary-visitor.ts'
import { innerValues } from '../../formats/qemu/vmstate/opaque-fields.ts'
import { QemuFileReader } from '../../formats/qemu/file/qemu-file.ts'
import { transfer } from '../../formats/qemu/vmstate/transfer.ts'
import { virtioLayout } from '../../formats/qemu/vmstate/virtio-layout.ts'
import { bytesOut } from './bytes.ts'

/** By name. */
export const valuesOf = (bytes: Uint8Array) =>
  Object.fromEntries(innerValues('virtio', bytes).map(({ name, value }) => [name, value]))

/** The same bytes again, from the fields of the layout. */
export function again(bytes: Uint8Array): Uint8Array {
  const layout = virtioLayout(bytes)
  return bytesOut((out) => {
    if (layout === undefined) return
    const from = new BinaryInputVisitor(QemuFileReader.over(bytes))
    transfer(layout.vmsd, from, new BinaryOutputVisitor(out))
  })
}
