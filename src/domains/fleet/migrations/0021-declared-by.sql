-- Who declared an agent: the operator's manifest or an example. What one declares another does not remove.
ALTER TABLE fleet.agents ADD COLUMN declared_by text;
UPDATE fleet.agents SET declared_by = 'quarterdeck.yaml' WHERE declared;
ALTER TABLE fleet.agents ADD CHECK (declared = (declared_by IS NOT NULL));
