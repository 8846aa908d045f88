// The state of one device as bytes on their own: its version and its body. In a stream of QEMU both stand in a
// section; where another stream carries them, as ours does, this is all that is left of one.

import { BinaryInputVisitor, BinaryOutputVisitor } from './binary-visitor.ts'
import { ObjectInputVisitor, ObjectOutputVisitor } from './object-visitor.ts'
import { QemuFileReader, QemuFileWriter, sourceOf } from '../file/qemu-file.ts'
import { QemuStreamError } from '../file/qemu-stream-error.ts'
import type { QemuTrace } from './trace-events.ts'
import { transfer } from './transfer.ts'
import type { VMStateDescription, VMStateDevice } from './vmstate.ts'

/** `be32 version_id`, then the body. Raises QemuStreamError if the device does not fit its description. */
export function saveState<Device extends VMStateDevice>(
  vmsd: VMStateDescription<Device>,
  device: Device,
  trace?: QemuTrace,
): Uint8Array {
  const parts: Uint8Array[] = []
  const file = new QemuFileWriter({ write: (bytes) => parts.push(bytes.slice()) }, 4096)
  file.u32(vmsd.version_id)
  transfer(vmsd, new ObjectInputVisitor(device), new BinaryOutputVisitor(file), { trace })
  file.flush()
  if (parts.length === 1 && parts[0] !== undefined) return parts[0]
  const whole = new Uint8Array(file.offset)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/**
 * Fills the device, in whatever version from minimum_version_id on it was saved. Raises QemuStreamError if the
 * bytes are not exactly one state; what of the device was filled until then stays so.
 */
export function loadState<Device extends VMStateDevice>(
  vmsd: VMStateDescription<Device>,
  bytes: Uint8Array,
  device: Device,
  trace?: QemuTrace,
): void {
  const file = new QemuFileReader(sourceOf(bytes), Math.max(bytes.length, 1))
  file.item = vmsd.name
  const version_id = file.u32()
  const to = new ObjectOutputVisitor(device)
  transfer(vmsd, new BinaryInputVisitor(file), to, { version_id, trace })
  if (file.atEnd) return
  const rule = `${bytes.length - file.offset} bytes follow the state`
  throw new QemuStreamError('bad-value', file.offset, vmsd.name, rule)
}
