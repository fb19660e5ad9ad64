
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
        ('inference', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ActiveModel',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('role', models.CharField(max_length=30)),
                ('name', models.CharField(max_length=120)),
                ('version', models.CharField(max_length=60)),
                ('files', models.JSONField(default=dict, help_text='SHA-256 by kind, as they were at the activation.')),
                ('activated_at', models.DateTimeField()),
                ('activated_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('laboratory', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.laboratory')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('laboratory', 'role'), name='one_active_model_per_role')],
            },
        ),
    ]
