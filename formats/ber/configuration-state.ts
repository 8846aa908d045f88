// What the subsections of a stream's configuration consist of. QEMU 7.2 writes them without a description, so
// theirs stands here: those three are all that there are.

import type { VMStateDescription } from '../qemu/vmstate/vmstate.ts'

const UUID_BYTES = 16

export const CONFIGURATION_STATES: readonly VMStateDescription[] = [
  {
    name: 'configuration/target-page-bits',
    version_id: 1,
    fields: [{ name: 'target_page_bits', type: 'uint32' }],
  },
  {
    name: 'configuration/capabilities',
    version_id: 1,
    fields: [
      { name: 'caps_count', type: 'uint32' },
      { name: 'capabilities', type: 'capability', count: 'caps_count' },
    ],
  },
  {
    name: 'configuration/uuid',
    version_id: 1,
    fields: [{ name: 'uuid', type: 'buffer', size: UUID_BYTES }],
  },
]
