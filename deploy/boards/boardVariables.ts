const refresh = 2 // whenever the time range changes
const sort = 1 // by name

/** A variable whose values are those of a label. */
function ofLabel(name: string, label: string, description: string, query: string): object {
  return {
    name,
    label,
    description,
    type: 'query',
    datasource: { type: 'prometheus', uid: '${datasource}' },
    definition: query,
    query: { qryType: 1, query, refId: `variable-${name}` },
    multi: true,
    includeAll: true,
    current: { selected: true, text: ['All'], value: ['$__all'] },
    options: [],
    refresh,
    regex: '',
    sort,
    hide: 0,
    skipUrlSync: false,
  }
}

/** What can be chosen above every board: a source, jobs, nodes by their peer ids, and instances of these. */
export const boardVariables: readonly object[] = [
  {
    name: 'datasource',
    label: 'Source',
    description: 'The Prometheus that scrapes the nodes.',
    type: 'datasource',
    query: 'prometheus',
    options: [],
    refresh: 1,
    regex: '',
    multi: false,
    includeAll: false,
    hide: 0,
    skipUrlSync: false,
  },
  ofLabel('job', 'Job', 'Jobs of the scrape config.', 'label_values(rxswarm_info, job)'),
  ofLabel('node', 'Node', 'Nodes by their peer ids.', 'label_values(rxswarm_info{job=~"$job"}, self)'),
  ofLabel(
    'instance',
    'Instance',
    'Where the chosen nodes are scraped.',
    'label_values(rxswarm_info{job=~"$job",self=~"$node"}, instance)',
  ),
]
