// What QEMU traces while it loads or saves the state of a device, by QEMU's own names: one row an event, with
// the names of its arguments in their order. Whoever wants to hear of them hands in a QemuTrace; without one
// nothing is said and nothing is computed.

export const vmstateTraceEvents = {
  vmstate_load_field_error: ['field', 'ret'],
  vmstate_load_state: ['name', 'version_id'],
  vmstate_load_state_end: ['name', 'reason', 'val'],
  vmstate_load_state_field: ['name', 'field'],
  vmstate_n_elems: ['name', 'n_elems'],
  vmstate_subsection_load: ['parent'],
  vmstate_subsection_load_bad: ['parent', 'sub', 'sub2'],
  vmstate_subsection_load_good: ['parent'],
  vmstate_save_state_pre_save_res: ['name', 'res'],
  vmstate_save_state_loop: ['name', 'field', 'n_elems'],
  vmstate_save_state_top: ['idstr'],
  vmstate_subsection_save_loop: ['name', 'sub'],
  vmstate_subsection_save_top: ['idstr'],
  get_qtailq: ['name', 'version_id'],
  get_qtailq_end: ['name', 'reason', 'val'],
  put_qtailq: ['name', 'version_id'],
  put_qtailq_end: ['name', 'reason'],
  get_gtree: ['field_name', 'key_vmsd_name', 'val_vmsd_name', 'nnodes'],
  get_gtree_end: ['field_name', 'key_vmsd_name', 'val_vmsd_name', 'ret'],
  put_gtree: ['field_name', 'key_vmsd_name', 'val_vmsd_name', 'nnodes'],
  put_gtree_end: ['field_name', 'key_vmsd_name', 'val_vmsd_name', 'ret'],
  get_qlist: ['field_name', 'vmsd_name', 'version_id'],
  get_qlist_end: ['field_name', 'vmsd_name'],
  put_qlist: ['field_name', 'vmsd_name', 'version_id'],
  put_qlist_end: ['field_name', 'vmsd_name'],
} as const satisfies Readonly<Record<string, readonly string[]>>

export type VMStateTraceEvent = keyof typeof vmstateTraceEvents

/** Hears of an event, with its arguments in the order of its row. */
export type QemuTrace = (event: VMStateTraceEvent, ...args: (string | number)[]) => void
