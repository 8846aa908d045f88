// What kind of stream begins with these bytes. Every kind says so in its first eight, but for the
// back channel, which has no header: there it is the first record, a CHECKPOINT_STATE.

import { readU32 } from '../../bytes/byte-order.ts'
import { LIBXL } from '../libxl-records.ts'
import type { Checkpointed, StreamForm } from '../stream-order.ts'

/** What a user may call a stream. */
export const forms = {
  libxl: { form: 'libxl', checkpointed: 'auto' },
  libxc: { form: 'libxc', checkpointed: 'auto' },
  xl: { form: 'xl', checkpointed: 'auto' },
  colo: { form: 'libxl', checkpointed: 'colo' },
  remus: { form: 'libxl', checkpointed: 'remus' },
  back: { form: 'back', checkpointed: 'colo' },
} as const satisfies Readonly<
  Record<string, { readonly form: StreamForm; readonly checkpointed: Checkpointed }>
>

export type FormName = keyof typeof forms

/** How many bytes it takes to tell. */
export const FORM_BYTES = 8
/** The body_length of a CHECKPOINT_STATE. */
const CONTROL_BYTES = 4

interface StreamStart {
  readonly form: StreamForm
  readonly bytes: readonly number[]
}

const bytesOf = (text: string) => Array.from(text, (char) => char.charCodeAt(0))

/** How a stream of each kind begins, in as many bytes as nothing else will begin with by chance. */
export const openings: readonly StreamStart[] = [
  { form: 'libxl', bytes: bytesOf('LibxlFmt') },
  { form: 'libxc', bytes: bytesOf('\xff\xff\xff\xff\xff\xff\xff\xffXENF') },
  { form: 'xl', bytes: bytesOf('Xen saved domain') },
  { form: 'back', bytes: [LIBXL.CHECKPOINT_STATE.type, 0, 0, 0, CONTROL_BYTES, 0, 0, 0] },
]

/** Whether the FORM_BYTES at `at` are those of such a stream. */
export function beginsAs(name: FormName, bytes: Uint8Array, at: number): boolean {
  const { form } = forms[name]
  if (form === 'back') return isControl(bytes, at)
  return openings.some((one) => one.form === form && equalBytes(one, bytes, at) === FORM_BYTES)
}

/** CHECKPOINT_STATE has 4 bytes; its specification can be read as 8. */
function isControl(bytes: Uint8Array, at: number): boolean {
  const length = readU32(bytes, at + 4)
  return readU32(bytes, at) === LIBXL.CHECKPOINT_STATE.type && length > 0 && length <= 8
}

function equalBytes({ bytes: wanted }: StreamStart, bytes: Uint8Array, at: number): number {
  return wanted.slice(0, FORM_BYTES).filter((byte, index) => bytes[at + index] === byte).length
}

/** Of bytes that begin no stream, the kind that they are taken for: the header then says what is wrong. */
export function formOf(bytes: Uint8Array, at: number): FormName {
  if (isControl(bytes, at)) return 'back'
  let best: FormName = 'libxl'
  let most = 0
  for (const opening of openings) {
    const equal = opening.form === 'back' ? 0 : equalBytes(opening, bytes, at)
    if (equal > most) [best, most] = [opening.form, equal]
  }
  return best
}
