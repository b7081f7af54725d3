\set number random(1, 1000000000)
BEGIN;
INSERT INTO event VALUES ('evt_' || :client_id || '_' || nextval('numbers'), repeat('x', 3072)::bytea);
INSERT INTO ledger VALUES ('cs_test_' || :client_id || '_' || currval('numbers'), 500 + :number % 9000, 'jpy', 'paid', 1800000000);
COMMIT;
