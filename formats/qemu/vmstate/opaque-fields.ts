// The types of fields whose inside is known though QEMU's description says nothing of it, by the names that the
// description has for them.

import type { InnerReader, InnerValue } from './inner-value.ts'
import { PCI_READERS } from './pci-fields.ts'
import { virtioValues } from './virtio-values.ts'

const READERS: Readonly<Record<string, InnerReader>> = { ...PCI_READERS, virtio: virtioValues }

/** What is inside of a value of this type; nothing if the type is not known here. */
export function innerValues(type: string, bytes: Uint8Array): readonly InnerValue[] {
  return Object.hasOwn(READERS, type) ? (READERS[type]?.(bytes) ?? []) : []
}
