"""The composition root: a configuration in, a working keeper out. The only room that knows every adapter.

loading    reads files and the environment
pinning    what a configuration claims about a chain, and whether the chain agrees
parts      one adapter for each `kind`: strategies, custodies, venues, guards
schedules  when a vault is looked at, and when it may act
journals   where the journal is
prices     price rules from price configurations
chains     one chain put together: observer, submitter, cycle, loop
deployment all chains of a configuration, dry or armed
facts      the journal's rows as the reports want them
telling    what a tick came to, as log lines and alerts
watching   what the causes of alerts are read from
"""
