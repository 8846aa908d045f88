// What kind of stream begins with these bytes. Every kind says so in its first eight, but for the
// back channel, which has no header: there it is the first record, a CHECKPOINT_STATE.

import { readU32 } from '../byte-order.ts'
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

const magics: readonly (readonly [FormName, string])[] = [
  ['libxl', 'LibxlFmt'],
  ['libxc', '\xff\xff\xff\xff\xff\xff\xff\xff'],
  ['xl', 'Xen save'],
]

/** Of bytes that begin no stream, the kind that they are taken for: the header then says what is wrong. */
export function formOf(bytes: Uint8Array, at: number): FormName {
  if (readU32(bytes, at) === LIBXL.CHECKPOINT_STATE.type) {
    const length = readU32(bytes, at + 4)
    if (length > 0 && length <= 8) return 'back'
  }
  let best: FormName = 'libxl'
  let most = 0
  for (const [name, magic] of magics) {
    let equal = 0
    for (let index = 0; index < FORM_BYTES; index++) {
      if (bytes[at + index] === magic.charCodeAt(index)) equal++
    }
    if (equal > most) [best, most] = [name, equal]
  }
  return best
}
