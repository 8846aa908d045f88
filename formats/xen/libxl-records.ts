// The records of the libxl layer, one row each: type, body, length rule, and where each may stand.

import type { Layout } from './body-layout.ts'
import { atLeast, exactly } from './record-spec.ts'
import type { Flaw, LengthRule, RecordRules, RecordSpec, StreamFacts } from './record-spec.ts'
import { XenstoreScan } from './xenstore-data.ts'

function row<const L extends Layout>(
  type: number,
  name: string,
  layout: L,
  length: LengthRule,
  rules: RecordRules<L> & Pick<RecordSpec, 'leads'>,
): RecordSpec<L> {
  return { name, layer: 'libxl', type, layout, length, section: '2, libxl stream', ...rules }
}

export const EMULATOR_ID = { UNKNOWN: 0, QEMU_TRADITIONAL: 1, QEMU_UPSTREAM: 2 } as const
export const CONTROL_ID = { NEW: 0, SVM_SUSPENDED: 1, SVM_READY: 2, SVM_RESUMED: 3 } as const

const controlNames = Object.keys(CONTROL_ID)
const everywhere = { libxl: 'libxl', 'libxl tail': 'libxl tail' } as const

function emulatorFlaw(emulatorId: number): Flaw | undefined {
  if (emulatorId <= EMULATOR_ID.QEMU_UPSTREAM) return undefined
  return { field: 'emulatorId', rule: 'emulator_id must be 0 to 2' }
}

function controlFlaw(controlId: number, facts: StreamFacts): Flaw | undefined {
  const field = 'controlId'
  const name = controlNames[controlId]
  if (name === undefined) return { field, rule: 'control_id must be 0 to 3' }
  if (facts.controlDue === undefined || facts.controlDue === controlId) return undefined
  const due = controlNames[facts.controlDue]
  return { field, rule: `${due} is due here, not ${name}`, code: 'wrong-place' }
}

export const LIBXL = {
  END: row(0x0, 'END', {}, exactly(0), { leads: { libxl: 'ended', 'libxl tail': 'ended' } }),

  LIBXC_CONTEXT: row(0x1, 'LIBXC_CONTEXT', {}, exactly(0), {
    leads: { libxl: 'image header' },
    flat: { 'libxl tail': 'image header' },
  }),

  EMULATOR_XENSTORE_DATA: row(
    0x2,
    'EMULATOR_XENSTORE_DATA',
    { emulatorId: 'u32', index: 'u32', data: 'bytes' },
    atLeast(8),
    {
      leads: { ...everywhere, checkpoint: 'checkpoint' },
      guest: 'hvm',
      check: ({ emulatorId }) => emulatorFlaw(emulatorId),
      scan: () => new XenstoreScan(),
    },
  ),

  EMULATOR_CONTEXT: row(
    0x3,
    'EMULATOR_CONTEXT',
    { emulatorId: 'u32', index: 'u32', blob: 'bytes' },
    atLeast(8),
    {
      leads: { ...everywhere, checkpoint: 'checkpoint' },
      guest: 'hvm',
      check: ({ emulatorId }) => emulatorFlaw(emulatorId),
    },
  ),

  CHECKPOINT_END: row(0x4, 'CHECKPOINT_END', {}, exactly(0), {
    leads: { checkpoint: 'control' },
    flat: { 'libxl tail': 'libxl tail' },
  }),

  // Xen writes a length of 4; its specification can be read as 8, and its reader takes any that
  // holds the id.
  CHECKPOINT_STATE: row(0x5, 'CHECKPOINT_STATE', { controlId: 'u32' }, atLeast(4), {
    leads: {
      control: 'libxc',
      'svm ready': 'svm resumed',
      'svm resumed': 'svm suspended',
      'svm suspended': 'svm dirty pfns',
    },
    flat: everywhere,
    check: ({ controlId }, facts) => controlFlaw(controlId, facts),
  }),
}
