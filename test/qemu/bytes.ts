// Bytes in, and bytes out again, through QEMUFile.

import { QemuFileReader, QemuFileWriter, sourceOf } from '../../formats/qemu/file/qemu-file.ts'

export function fileOf(bytes: Uint8Array): QemuFileReader {
  return new QemuFileReader(sourceOf(bytes), 256)
}

/** What `write` writes. */
export function bytesOut(write: (file: QemuFileWriter) => void): Uint8Array {
  const parts: Uint8Array[] = []
  const file = new QemuFileWriter({ write: (bytes) => parts.push(bytes.slice()) }, 256)
  write(file)
  file.flush()
  return new Uint8Array(Buffer.concat(parts))
}
