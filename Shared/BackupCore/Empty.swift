// BackupCore lands here.
