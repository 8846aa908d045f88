// The bodies of the two live sections that carry disks: "block" (version 1), the contents of whole disks, and
// "dirty-bitmap" (version 1), the bitmaps that incremental backups need.

import type { DirtyBitmapRecord, DiskSink } from './migration-sink.ts'
import type { QemuFileReader } from '../file/qemu-file.ts'
import { QemuStreamError } from '../file/qemu-stream-error.ts'

export const DISK_DEVICE_BLOCK = 1
export const DISK_EOS = 2
export const DISK_PROGRESS = 4
export const DISK_ZERO_BLOCK = 8

const DISK_FLAG_BITS = 9n
const DISK_CHUNK_BYTES = 1024 * 1024

/** Reads records up to and with EOS. Raises bad-value. */
export function readDiskBody(file: QemuFileReader, sink: DiskSink): void {
  for (;;) {
    const word = file.u64()
    const flags = Number(word & ((1n << DISK_FLAG_BITS) - 1n))
    const value = word >> DISK_FLAG_BITS
    if (flags === DISK_EOS || flags === DISK_PROGRESS) {
      sink.diskMark(value, flags)
      if (flags === DISK_EOS) return
    } else if (flags === DISK_DEVICE_BLOCK || flags === (DISK_DEVICE_BLOCK | DISK_ZERO_BLOCK)) {
      const device = file.str8()
      const isZero = (flags & DISK_ZERO_BLOCK) !== 0
      sink.diskChunk(device, value, flags, isZero ? undefined : file.take(DISK_CHUNK_BYTES))
    } else {
      const rule = `a record with the flags 0x${flags.toString(16)}: QEMU writes none such`
      throw new QemuStreamError('bad-value', file.offset - 8, file.item, rule)
    }
  }
}

export const BITMAP_EOS = 0x01
export const BITMAP_ZEROES = 0x02
export const BITMAP_NAME = 0x04
export const BITMAP_NODE = 0x08
export const BITMAP_START = 0x10
export const BITMAP_COMPLETE = 0x20
export const BITMAP_BITS = 0x40
export const BITMAP_MORE_FLAGS = 0x80

/** One record's bits: QEMU writes at most 1 KiB of them at a time. */
const BITS_BYTES_MAX = 1024 * 1024

/** Reads records up to and with EOS. Raises bad-value. */
export function readDirtyBitmapBody(file: QemuFileReader, sink: DiskSink): void {
  for (;;) {
    const record = readBitmapRecord(file)
    sink.dirtyBitmap(record)
    if (record.flags === BITMAP_EOS) return
  }
}

function readBitmapRecord(file: QemuFileReader): DirtyBitmapRecord {
  const { offset } = file
  const flags = file.u8()
  const refuse = (rule: string): never => {
    throw new QemuStreamError('bad-value', offset, file.item, rule)
  }
  if ((flags & BITMAP_MORE_FLAGS) !== 0) refuse('a record with more flags than QEMU 7.2 has')
  const kinds = flags & (BITMAP_EOS | BITMAP_START | BITMAP_COMPLETE | BITMAP_BITS)
  if (kinds === 0 || (kinds & (kinds - 1)) !== 0) {
    refuse(`a record with the flags 0x${flags.toString(16)}: it must be of one kind`)
  }
  const node = (flags & BITMAP_NODE) === 0 ? {} : { node: file.str8() }
  const bitmap = (flags & BITMAP_NAME) === 0 ? {} : { bitmap: file.str8() }
  const head = { offset, flags, ...node, ...bitmap }
  if (kinds === BITMAP_START) return { ...head, granularity: file.u32(), bitmapFlags: file.u8() }
  if (kinds !== BITMAP_BITS) return head
  const sector = file.u64()
  const sectors = file.u32()
  if ((flags & BITMAP_ZEROES) !== 0) return { ...head, sector, sectors }
  const length = file.u64()
  if (length > BITS_BYTES_MAX) refuse(`${length} bytes of bits, more than ${BITS_BYTES_MAX}`)
  return { ...head, sector, sectors, bits: file.take(Number(length)) }
}
