// An event of QEMU's as its `log` backend writes it, from the formats of QEMU's trace-events.

import { loadvmTraceEvents } from './loadvm-trace.ts'
import { savevmTraceEvents } from './savevm-trace.ts'
import type { VMStateTraceEvent } from '../vmstate/trace-events.ts'

/** The formats of the events of a device's state. */
const vmstateFormats = {
  vmstate_load_field_error: 'field "%s" load failed, ret = %d',
  vmstate_load_state: '%s v%d',
  vmstate_load_state_end: '%s %s/%d',
  vmstate_load_state_field: '%s:%s',
  vmstate_n_elems: '%s: %d',
  vmstate_subsection_load: '%s',
  vmstate_subsection_load_bad: '%s: %s/%s',
  vmstate_subsection_load_good: '%s',
  vmstate_save_state_pre_save_res: '%s/%d',
  vmstate_save_state_loop: '%s/%s[%d]',
  vmstate_save_state_top: '%s',
  vmstate_subsection_save_loop: '%s/%s',
  vmstate_subsection_save_top: '%s',
  get_qtailq: '%s v%d',
  get_qtailq_end: '%s %s/%d',
  put_qtailq: '%s v%d',
  put_qtailq_end: '%s %s',
  get_gtree: '%s(%s/%s) nnodes=%d',
  get_gtree_end: '%s(%s/%s) %d',
  put_gtree: '%s(%s/%s) nnodes=%d',
  put_gtree_end: '%s(%s/%s) %d',
  get_qlist: '%s(%s v%d)',
  get_qlist_end: '%s(%s)',
  put_qlist: '%s(%s v%d)',
  put_qlist_end: '%s(%s)',
} as const satisfies Readonly<Record<VMStateTraceEvent, string>>

/** By the names of events. */
export const traceFormats: Readonly<Record<string, string>> = {
  ...loadvmTraceEvents,
  ...savevmTraceEvents,
  ...vmstateFormats,
}

/** The event's name, a blank, and its arguments by its format. */
export function traceLine(event: string, args: readonly (string | number)[]): string {
  const format = traceFormats[event] ?? args.map(() => '%s').join(' ')
  let next = 0
  const text = format.replaceAll(/%[dusxp]/g, (form) => {
    const value = args[next++] ?? 0
    if (form === '%p' || form === '%x') return Number(value).toString(16)
    return String(value)
  })
  return `${event} ${text}`
}
